"""What people see: text and tables made from finished objects. Nothing is computed or decided here."""
