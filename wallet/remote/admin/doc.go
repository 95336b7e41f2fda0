// Package admin is what operators watch a remote signer with: its health, its metrics and a
// status page. It changes nothing but the signer's settings, which it has read again.
package admin
