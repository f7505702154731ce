"""Search of black boxes: settings, queries, a model of the response. Read `model_search.py` first."""

from shaketable.search.black_box.path import worst_case_black_box_path
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.black_box.verb import worst_case_black_box

__all__ = ["BlackBox", "worst_case_black_box", "worst_case_black_box_path"]
