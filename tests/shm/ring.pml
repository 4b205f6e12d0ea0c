/*
 * A model of how the two sides of a ring sleep and wake each other (plugins/shm/ring.h): one
 * writer, one reader, and somebody who interrupts the reader's waits. Each atomic access of the C
 * code, all of them sequentially consistent, is one step here; whatever order they can take is
 * looked at. A lost wake-up is a state in which nobody can go on.
 *
 * Sleeps have no time limit here, though they have in the code: the protocol must not need it.
 *
 * With one of these defined there is a mistake in it, which the checker must find:
 *   SLEEP_ON_HEAD   the reader sleeps on `head`, and the writer clears a flag before it wakes
 *   NO_SECOND_LOOK  the reader does not look again after it has said that it sleeps
 *   ROOM_FORGOTTEN  likewise the writer
 *   RELEASE_SILENT  the reader does not wake the writer that waits for room
 *   KICK_STORES     an interrupt clears the word though its sleeper has left and is parked
 *   INTERRUPT_EARLY an interrupt wakes first and sets its flag afterwards
 */
#ifndef MESSAGES
#define MESSAGES 4
#endif
#define CAPACITY 2
#ifdef SLEEP_ON_HEAD
#define INTERRUPTS 0 /* they would need the word */
#else
#define INTERRUPTS 2
#endif

#define AWAKE  0
#define THREAD 1
#define PARKED 2

/* In the shared memory. */
byte head = 0;
byte tail = 0;
byte reader_sleep = AWAKE;
byte writer_sleep = AWAKE;

/* In the kernel: a thread in futex_wait, and edges of the events that a reactor has not seen. */
bool sleeping = false;
bool reader_event = false;
bool writer_event = false;

/* Private to the reader's process. */
bool interrupted = false;
bool waiting = false;

inline wake_reader(old)
{
    if
    :: old == THREAD -> sleeping = false
    :: old == PARKED -> reader_event = true
    :: else
    fi
}

proctype writer()
{
    byte sent = 0;
    byte seen_tail = 0;
    byte old;

    do
    :: sent == MESSAGES -> break
    :: sent < MESSAGES && sent - seen_tail < CAPACITY ->
        sent++;
        head = sent;
#ifdef SLEEP_ON_HEAD
        if
        :: reader_sleep == THREAD ->
            reader_sleep = AWAKE;
            sleeping = false
        :: reader_sleep == PARKED ->
            reader_sleep = AWAKE;
            reader_event = true
        :: else
        fi
#else
        if /* the load, and only then the exchange */
        :: reader_sleep != AWAKE ->
            atomic { old = reader_sleep; reader_sleep = AWAKE };
            wake_reader(old)
        :: else
        fi
#endif
    :: sent < MESSAGES && sent - seen_tail == CAPACITY ->
        seen_tail = tail;
        if
        :: sent - seen_tail == CAPACITY ->
            /* The reactor watches the event from here on. */
            writer_sleep = PARKED;
#ifndef ROOM_FORGOTTEN
            seen_tail = tail;
            if
            :: sent - seen_tail < CAPACITY -> writer_sleep = AWAKE
            :: else -> atomic { writer_event -> writer_event = false }
            fi
#else
            atomic { writer_event -> writer_event = false }
#endif
        :: else
        fi
    od
}

/* Tells the writer how far this side has read. */
inline release()
{
    tail = consumed;
    released = consumed;
    if
    :: writer_sleep != AWAKE ->
        atomic { old = writer_sleep; writer_sleep = AWAKE };
#ifndef RELEASE_SILENT
        if
        :: old == PARKED -> writer_event = true
        :: else
        fi
#endif
    :: else
    fi
}

proctype reader()
{
    byte seen = 0;
    byte consumed = 0;
    byte released = 0;
    byte taken = 0; /* interrupts */
    byte old;

    do
    :: consumed == MESSAGES && taken == INTERRUPTS -> break
    :: consumed < seen -> /* consume; the writer may be told now or later */
        consumed++;
        if
        :: release()
        :: consumed - released < CAPACITY
        fi
    :: consumed == seen && !(consumed == MESSAGES && taken == INTERRUPTS) ->
        seen = head;
        if
        :: seen != consumed
        :: seen == consumed ->
            if
            :: released != consumed -> release()
            :: else
            fi;
            if
            :: true -> /* a thread waits */
                waiting = true;
                reader_sleep = THREAD;
                if
#ifndef NO_SECOND_LOOK
                :: head != seen
#endif
                :: interrupted
                :: else ->
#ifdef SLEEP_ON_HEAD
                    atomic { sleeping = (head == seen) };
#else
                    atomic { sleeping = (reader_sleep == THREAD) };
#endif
                    !sleeping
                fi;
                reader_sleep = AWAKE;
                waiting = false;
                if
                :: interrupted -> atomic { interrupted = false; taken++ }
                :: else
                fi
            :: consumed < MESSAGES -> /* parked: the reactor watches */
                reader_sleep = PARKED;
                if
                :: head != seen -> reader_sleep = AWAKE
                :: else ->
                    if
                    :: true -> atomic { reader_event -> reader_event = false }
                    :: true -> reader_sleep = AWAKE /* disarmed, by who wants to read himself */
                    fi
                fi
            fi
        fi
    od
}

proctype interrupter()
{
    byte i = 0;

    do
    :: i == INTERRUPTS -> break
    :: else ->
        !interrupted;
#ifndef INTERRUPT_EARLY
        interrupted = true;
#endif
        if
        :: waiting ->
#ifdef KICK_STORES
            reader_sleep = AWAKE;
#else
            atomic {
                if
                :: reader_sleep == THREAD -> reader_sleep = AWAKE
                :: else
                fi
            };
#endif
            sleeping = false
        :: else
        fi;
#ifdef INTERRUPT_EARLY
        interrupted = true;
#endif
        i++
    od
}

init
{
    atomic {
        run writer();
        run reader();
        run interrupter()
    }
}
