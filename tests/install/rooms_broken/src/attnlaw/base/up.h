#pragma once
#include "attnlaw/report/page.h"
