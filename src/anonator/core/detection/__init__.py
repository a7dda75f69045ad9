"""What the detector is made of: networks, devices and the way of pictures to them."""
