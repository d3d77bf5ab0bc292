#include "attnlaw/theory/prior/denoiser.h"
