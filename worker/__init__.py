"""Worker: what lies in Redis (`broker`), and the process that runs jobs (`process`)."""
