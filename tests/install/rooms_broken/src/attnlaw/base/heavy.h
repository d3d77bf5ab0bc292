#pragma once
#include <CLI/CLI.hpp>
#include <Eigen/Core>
