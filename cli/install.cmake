# SPDX-License-Identifier: Apache-2.0
# What `make install`, `make deb` and a release put where: the command with its pages and completions (component
# cli), and the core as a library with its headers (component dev).
include(GNUInstallDirs)

set(pages ${CMAKE_BINARY_DIR}/cli-pages)
add_custom_command(OUTPUT ${pages}.made
  COMMAND ${PROJECT_SOURCE_DIR}/tools/cli-pages $<TARGET_FILE:otapult-cli> ${pages}
  COMMAND ${CMAKE_COMMAND} -E touch ${pages}.made
  DEPENDS otapult-cli ${PROJECT_SOURCE_DIR}/tools/cli-pages)
add_custom_target(cli-pages DEPENDS ${pages}.made)
add_custom_target(installed DEPENDS otapult-cli cli-pages core ui)

install(TARGETS otapult-cli COMPONENT cli)
install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT cli)
install(FILES ${pages}/completions/otapult COMPONENT cli
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${pages}/completions/_otapult COMPONENT cli DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${pages}/completions/otapult.fish COMPONENT cli
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/otapult RENAME copyright COMPONENT cli)

install(FILES $<TARGET_FILE:core> DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libotapult.a COMPONENT dev)
install(FILES $<TARGET_FILE:ui> DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libotapult-pages.a COMPONENT dev)
install(DIRECTORY include/otapult DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
  PATTERN esp_idf.h EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libotapult-dev RENAME copyright COMPONENT dev)
# The prefix of --prefix is known only when it is installed.
install(CODE "
  set(prefix \${CMAKE_INSTALL_PREFIX})
  set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
  set(PROJECT_VERSION ${PROJECT_VERSION})
  configure_file(${PROJECT_SOURCE_DIR}/cli/otapult.pc.in ${CMAKE_BINARY_DIR}/otapult.pc @ONLY)
  file(INSTALL ${CMAKE_BINARY_DIR}/otapult.pc
    DESTINATION \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig)" COMPONENT dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR Otapult)
set(CPACK_PACKAGE_CONTACT "the Otapult project <otapult@example.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL cli dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_CLI_PACKAGE_NAME otapult)
set(CPACK_DEBIAN_CLI_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION embedded)
set(CPACK_COMPONENT_CLI_DESCRIPTION "firmware for ESP32 robots: look into it, sign it, send it, prove it
 The command line of Otapult: judges firmware files by the robot's own code, signs
 them, sends them to one robot or fifty, and says of each what is proved.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libotapult-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libmbedtls-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "over-the-air updates for ESP32 robots: the core as a library
 The portable core of Otapult for programs on this computer, with its headers.")
include(CPack)
