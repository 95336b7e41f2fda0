// Package input reads files and descriptors that may block, such as named pipes and terminals, and
// stops when its context ends.
package input
