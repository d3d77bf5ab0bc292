#pragma once
/// Random123 asks for an architecture that it knows, and sets no instruction of this one: WebAssembly goes as another
/// machine of 32-bit registers.

#define __arm__ 1
#include_next <Random123/philox.h>
#undef __arm__
