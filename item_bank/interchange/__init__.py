"""Reading and writing items: CSV, Excel, GIFT."""
