package input

// ByteOrderMark is what some editors and shells write before UTF-8 text.
const ByteOrderMark = "\ufeff"
