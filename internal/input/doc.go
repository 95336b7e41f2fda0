// Package input reads files and descriptors that may keep a reader waiting, named pipes
// and terminals among them, and stops waiting when its context ends.
package input
