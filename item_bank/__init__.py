"""What may be asked, in what form: items, review, interchange, form assembly. Pure."""
