"""PDF primitives on ReportLab: fonts, formulas, rich text, codes. Each room prints its own documents on them."""
