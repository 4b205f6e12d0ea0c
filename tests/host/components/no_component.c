/* A module that is no component. */
int no_component_here(void);

int no_component_here(void)
{
    return 1;
}
