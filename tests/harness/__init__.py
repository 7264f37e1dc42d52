"""What the tests in Python share: a real gateway, a scripted origin, raw clients. Nothing here judges."""
