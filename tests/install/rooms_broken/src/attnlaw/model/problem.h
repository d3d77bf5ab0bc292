#pragma once
#include "attnlaw/base/heavy.h"
