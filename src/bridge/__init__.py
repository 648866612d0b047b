"""bridge: tickets mirrored between an organisation and its vendors, each party kept to its role."""

__version__ = "0.1.0"
