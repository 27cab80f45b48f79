"""The judge: texts, signatures, facts and rules; it knows no Django, socket, clock or file."""
