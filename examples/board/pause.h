/* The one thing of the board that the systems do in their own ways. */
#ifndef BOARD_PAUSE_H
#define BOARD_PAUSE_H

void pause_ms(unsigned milliseconds);

#endif
