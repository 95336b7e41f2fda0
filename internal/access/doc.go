// Package access reports which other users may read a file: by its mode, and on Linux by its access
// control list, which the mode shows only in part.
package access
