"""The engine under the interfaces of other libraries, a file each. Every file can be imported without its library."""
