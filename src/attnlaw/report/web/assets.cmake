# attnlaw_report_assets(name.cc): writes the source file of report/assets.h into the current binary directory. The library
# then carries all that a page needs, and the program writes reports without any file beside it.
set(web ${CMAKE_CURRENT_LIST_DIR})

# The browser must run the scripts in this order.
set(vega_scripts vega/build/vega.min.js vega-lite/build/vega-lite.min.js vega-embed/build/vega-embed.min.js)

# One specification for each kind of chart, and the parts that they share.
set(chart_templates chart_parts errors_chart spectrum_chart spectrum_panel heat_map ridge_chart)

# These packages are in the scripts and bring a licence text of their own; docs/licences.md lists all that are in them, and a
# test finds each text in a page.
set(licensed vega-canvas vega-lite vega-embed vega-schema-url-parser vega-themes vega-tooltip d3-array d3-delaunay d3-dsv d3-geo
    d3-geo-projection d3-path d3-scale-chromatic delaunator fast-json-patch internmap json-stringify-pretty-compact
    robust-predicates semver topojson-client tslib)

# Whether pages have charts, in `result`. AUTO: where the JavaScript is installed.
function(attnlaw_has_charts result)
  set(charts ${ATTNLAW_CHARTS})
  if(ATTNLAW_CHARTS STREQUAL AUTO)
    set(charts OFF)
    if(EXISTS ${web}/node_modules/.attnlaw-lock)
      set(charts ON)
    endif()
  endif()
  if(charts)
    attnlaw_require_node_modules()
  else()
    message(STATUS "pages are left out: their charts need scripts/setup report")
  endif()
  set(${result} ${charts} PARENT_SCOPE)
endfunction()

function(attnlaw_require_node_modules)
  find_program(NODE_EXECUTABLE NAMES node nodejs)
  find_program(NPM_EXECUTABLE npm)
  if(NOT NODE_EXECUTABLE OR NOT NPM_EXECUTABLE)
    message(FATAL_ERROR "node and npm are needed for the charts of the report: run scripts/setup")
  endif()
  file(SHA256 ${web}/package-lock.json lock)
  set(installed "nothing")
  if(EXISTS ${web}/node_modules/.attnlaw-lock)
    file(READ ${web}/node_modules/.attnlaw-lock installed)
  endif()
  if(NOT installed STREQUAL lock)
    message(FATAL_ERROR "the JavaScript of the report is not installed or out of date: run scripts/setup")
  endif()
endfunction()

# The licence texts, each once, as one JavaScript comment.
function(attnlaw_read_licences result)
  set(seen "")
  set(text "/*!\nThis script contains Vega, Vega-Lite, Vega-Embed and what they build on, under these licences:\n")
  foreach(package IN LISTS licensed)
    file(GLOB files ${web}/node_modules/${package}/LICENSE*)
    list(GET files 0 file)
    file(SHA256 ${file} hash)
    if(NOT hash IN_LIST seen)
      list(APPEND seen ${hash})
      file(READ ${file} licence)
      string(REPLACE "*/" "* /" licence "${licence}")
      string(APPEND text "\n--- ${package}\n${licence}")
    endif()
  endforeach()
  set(${result} "${text}*/\n" PARENT_SCOPE)
endfunction()

# vega.js in the current binary directory; untouched if it would not change.
function(attnlaw_write_vega_bundle)
  attnlaw_read_licences(bundle)
  foreach(script IN LISTS vega_scripts)
    file(READ ${web}/node_modules/${script} code)
    # A report has no source map beside it.
    string(REGEX REPLACE "//# sourceMappingURL=[^\n]*" "" code "${code}")
    string(APPEND bundle "${code}\n")
  endforeach()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/vega.js.new "${bundle}")
  configure_file(${CMAKE_CURRENT_BINARY_DIR}/vega.js.new ${CMAKE_CURRENT_BINARY_DIR}/vega.js COPYONLY)
endfunction()

# chart_templates.json in the current binary directory: one object of all templates, each under the name of its file.
function(attnlaw_write_chart_templates)
  set(members "")
  foreach(name IN LISTS chart_templates)
    file(READ ${web}/${name}.json template)
    string(APPEND members "${separator}\"${name}\": ${template}")
    set(separator ",\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/chart_templates.json CONTENT "{\n@members@}\n" @ONLY)
endfunction()

function(attnlaw_report_assets source)
  attnlaw_has_charts(charts)
  if(charts)
    attnlaw_write_vega_bundle()
  else()
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/vega.js "")
  endif()
  attnlaw_write_chart_templates()
  set(vega_bundle_path ${CMAKE_CURRENT_BINARY_DIR}/vega.js)
  set(chart_templates_path ${CMAKE_CURRENT_BINARY_DIR}/chart_templates.json)
  set(recorder_script_path ${web}/recorder.js)
  set(charts_script_path ${web}/charts.js)
  set(style_sheet_path ${web}/style.css)
  foreach(asset vega_bundle chart_templates recorder_script charts_script style_sheet)
    file(SHA256 ${${asset}_path} ${asset}_hash)
  endforeach()
  configure_file(${web}/assets.cc.in ${source} @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${web}/package-lock.json ${web}/recorder.js ${web}/charts.js
                                                                 ${web}/style.css)
  foreach(name IN LISTS chart_templates)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${web}/${name}.json)
  endforeach()
endfunction()
