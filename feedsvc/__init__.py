"""A self-hosted feed server: documents and feeds in, queryable and cross-linked feeds out."""

__version__ = "0.1.0"
