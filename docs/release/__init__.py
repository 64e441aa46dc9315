"""Parts of a release: the packages of each image, their licences, bills of materials, and packages that run alone."""
