/* GNUstep's headers ask for it; Debian's runtime has none. The blocks themselves are libBlocksRuntime's. */
