"""A model on loopback that follows a script, for hosts without a login."""
