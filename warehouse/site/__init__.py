"""The site: what anyone can open in a browser, made from one published release."""
