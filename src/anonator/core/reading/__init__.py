"""Reading: from a file that nobody vouches for to decoded pictures with their times."""
