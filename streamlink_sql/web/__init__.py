"""The web: REST API, streamed progress and pages, over one control unit or a client of one. Decides nothing that `control` decides."""
