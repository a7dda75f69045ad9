"""Reading: from an untrusted file to decoded pictures with their times."""
