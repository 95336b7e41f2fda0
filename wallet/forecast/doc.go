// Package forecast computes probabilities: of a number of winning tickets (Wins), of how long a
// deposit lasts (Runway), of how large it must be (Fund), and of what a period can cost (Luck). It
// is the only package that calculates with floats. Amounts of money are whole wei everywhere else,
// and an amount that this package returns is a whole number of wins times a face value.
package forecast
