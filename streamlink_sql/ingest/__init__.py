"""Files of any kind become tables of well-laid-out Parquet on HDFS, in a bucket or in a folder. Asks nothing and answers nothing."""
