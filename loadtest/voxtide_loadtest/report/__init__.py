"""Reports of all subcommands: one HTML file each that needs nothing else.

style   how plots look, and how they become a part of the page
page    the page and its parts
"""
