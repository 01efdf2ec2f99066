"""Sample province: our own content, loaded through the product's import commands."""
