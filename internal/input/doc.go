// Package input reads files and descriptors that may block, such as named pipes and terminals, and
// stops when its context ends. It reads what others send up to a size.
package input
