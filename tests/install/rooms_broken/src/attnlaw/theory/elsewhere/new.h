#include "attnlaw/base/random.h"
