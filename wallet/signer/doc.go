// Package signer is who signs: the Source of a key that is in a key file, was read from a
// descriptor, or is open in another process. What has something signed does not tell these
// apart. An Account opens its source when it is needed, and not before.
package signer
