"""What people look at: timelines and tables on a terminal, figures, one self-contained HTML page.

`terminal` needs nothing but rich and is part of listening; `figures` and `page` need the extra `report`.
"""
