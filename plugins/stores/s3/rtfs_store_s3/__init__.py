"""The store `s3`: blobs and names as objects of a bucket, of S3 or of what speaks its protocol."""
