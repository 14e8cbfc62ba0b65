"""The options that all checks share, as the checks know them."""

from gradcheck.options.keywords import RTOL as RTOL
from gradcheck.options.keywords import Options as Options
