"""What runs say, for people: tables, plots, and the utterances behind them.

tables       all tables, as text
markdown     tables as Markdown
latex        tables as LaTeX
curves       which runs lie on one curve, and what was published beside it
plots        curves, bars and latencies as SVG
alignments   the worst utterances, word by word, with audio
differences  where live and file transcripts differ
html         the page
"""
