"""Perennial: from a team's customer data to a deep model that they can trust, and keep fresh. Importing this does nothing."""

__version__ = "0.1.0"
