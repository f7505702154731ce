"""Independent answers, properties, small networks and broken inputs that tests share."""
