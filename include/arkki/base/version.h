/* The program's version. The packages take it from here. */
#ifndef ARKKI_BASE_VERSION_H
#define ARKKI_BASE_VERSION_H

#define ARKKI_VERSION "0.7"

#endif
