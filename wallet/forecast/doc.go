// Package forecast is the arithmetic of luck: how likely a number of winning tickets is
// (Wins), how long a deposit lasts (Runway), and how large it has to be (Plan). It is the
// one place that counts in floats; amounts of money are whole wei everywhere else, and an
// amount that comes out of here is a whole number of wins times a face value.
package forecast
