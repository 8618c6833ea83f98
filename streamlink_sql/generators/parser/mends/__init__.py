"""What the network writes nearly right, put right by what the question and the schema say, one kind of thing in each module."""
