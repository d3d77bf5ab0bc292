#pragma once
#include "attnlaw/base/up.h"
