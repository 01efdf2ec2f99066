"""The report of a calibrated test: facts computed once, told as one self-contained page and as a PDF alike.

Pure: arrays in, bytes out; what becomes of them is the caller's business.
"""
