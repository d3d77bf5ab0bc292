# The text of `attnlaw conventions` is docs/conventions.md itself.
set(conventions ${PROJECT_SOURCE_DIR}/docs/conventions.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${conventions})
file(READ ${conventions} ATTNLAW_CONVENTIONS)
configure_file(${CMAKE_CURRENT_LIST_DIR}/conventions_text.h.in ${CMAKE_CURRENT_BINARY_DIR}/conventions_text.h @ONLY)
target_include_directories(attnlaw_plain PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
