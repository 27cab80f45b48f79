"""A minimal Wagtail site: what a knowledge base would be if it were made of Wagtail pages."""
