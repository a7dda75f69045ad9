"""How files are opened, decoded, put upright, encoded and finished."""
