# SPDX-License-Identifier: Apache-2.0
# Each page of ui/ becomes one compressed C array; ui-pack fails when it is over the budget of a page.
add_executable(ui-pack ui/pack.c)
target_include_directories(ui-pack PRIVATE include)
target_link_libraries(ui-pack PRIVATE mbedcrypto deflate)

file(GLOB ui_files CONFIGURE_DEPENDS ui/*.html ui/*.css ui/*.js)

function(ui_page page symbol)
  set(out ${CMAKE_BINARY_DIR}/ui/${symbol}.c)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/ui
    COMMAND ui-pack ${out} ${symbol} ${PROJECT_SOURCE_DIR}/ui/${page}
    DEPENDS ui-pack ${ui_files} ${PROJECT_SOURCE_DIR}/include/otapult/errors.def
            ${PROJECT_SOURCE_DIR}/include/otapult/words.def
    VERBATIM)
  set(ui_sources ${ui_sources} ${out} PARENT_SCOPE)
endfunction()

ui_page(ota.html otapult_page)
ui_page(account.html otapult_account_page)
ui_page(home.html rover_home_page)

add_library(ui STATIC ${ui_sources})
target_include_directories(ui PUBLIC include)
